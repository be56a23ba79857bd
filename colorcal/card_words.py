"""The words on the consult card's sheets, in English and Chinese."""

from __future__ import annotations

from typing import Final

TITLE: Final = ("Consult card", "会诊色卡")
BATCH: Final = ("Print batch", "印刷批次")
NO_BATCH: Final = ("no batch", "无批次")
BESIDE: Final = (("Beside the skin,", "in the same light"), ("紧贴皮肤", "同一光线"))
CUT: Final = ("cut here", "沿线裁剪")
PATCH_NAMES_ZH: Final = (
    "极深肤色", "深肤色", "棕肤色", "小麦肤色", "浅肤色", "极浅肤色",
    "红斑，极深肤色", "红斑，深肤色", "红斑，棕肤色", "红斑，小麦肤色", "红斑，浅肤色", "红斑，极浅肤色",
    "蓝", "绿", "红", "黄", "品红", "青",
    "白（纸）", "灰 80", "灰 66", "灰 52", "灰 38", "黑",
)  # fmt: skip
STEPS: Final = (
    (
        "Print",
        (
            "Print this page in color, at best quality and at 100 % (actual size), on matte paper without "
            "optical brightener.",
            "Lay a ruler beside the card's: its 100 mm must be 100 mm, to within half a millimetre. If not, "
            "print again.",
            "Let it dry for a day, then cut along the dashed line. Do not laminate it: film shines.",
            "Measure the 24 patches and write them down (page 2). A card that was never measured gives "
            "roughly calibrated color at best.",
            "Keep it dark and dry. Replace it when it is scratched, stained or faded, or after six months.",
        ),
    ),
    (
        "打印",
        (
            "用彩色、最高质量、100 %（“实际大小”）打印本页，使用不含荧光增白剂的哑光纸。",
            "用尺核对卡上的刻度：100 毫米须为 100 毫米，误差不超过半毫米，否则请重新打印。",
            "晾干一天后沿虚线裁下。请勿覆膜：覆膜会反光。",
            "测量 24 个色块并记录（第 2 页）。未经测量的色卡只能得到大致校准的颜色。",
            "避光、干燥保存。有划痕、污渍、褪色或使用满六个月时请更换。",
        ),
    ),
    (
        "Use",
        (
            "Hold it flat beside the skin, at the same distance from the camera and in the same light.",
            "Turn it away from the lamp until nothing on it shines.",
            "Keep fingers off the colored squares and off the black marks in the corners.",
        ),
    ),
    (
        "使用",
        (
            "平放在皮肤旁，与皮肤离镜头同样远，处于同一光线下。",
            "转动色卡避开灯光，直到卡面没有反光。",
            "手指不要遮住色块和四角的黑色标记。",
        ),
    ),
)
MEASURED_TITLE: Final = ("Measured values of this print batch", "本印刷批次的测量值")
FIELDS: Final = (
    ("Printer and ink", "打印机与墨水"),
    ("Paper", "纸张"),
    ("Printed on", "打印日期"),
    ("Instrument", "测量仪器"),
    ("Measured on", "测量日期"),
    ("Measured by", "测量人"),
)
COLUMNS: Final = (("Nominal", "标称值"), ("Measured", "测量值"))
HOW_TO_MEASURE: Final = (
    "CIE L*a*b*, D50, 2° observer, measured on a black backing after the ink has dried for a day. One "
    "measured card stands for all that were printed in one go on the same printer, ink and paper: give each "
    "such batch its number.",
    "CIE L*a*b*，D50，2° 观察者，墨水晾干一天后在黑色衬底上测量。同一打印机、墨水和纸张一次打印的色卡属于"
    "同一批次，测量其中一张即可；每个批次使用各自的编号。",
)
KEPT_AS: Final = (
    "The server reads them from the JSON file that TRUEHUE_CARD_PRINTS names: "
    '{"batches": [{"batch": %d, "lab_d50": [[L, a, b], 24 times]}]}',
    "服务器从 TRUEHUE_CARD_PRINTS 指定的 JSON 文件读取这些值。",
)
