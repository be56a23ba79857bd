"""Which cameras, lights, charts, prints and skin are for choosing, and which for scoring: they share nothing.

Whatever in colorcal was fitted or chosen by its result saw TRAINING only. SCORING is rendered by the bench
alone. A name in both halves fails tests/bench/test_color_scene.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Half:
    """One half of everything that varies.

    cameras and lights: names for cameras.camera() and spectra.light(). charts: names for spectra.chart().
    prints: numbers of consult cards, each from another printer (prints.py).
    melanin, blood: centers of the parameters of skin (skin.py); seed: of everything drawn at random.
    """

    name: str
    cameras: tuple[str, ...]
    lights: tuple[str, ...]
    charts: tuple[str, ...]
    prints: range
    melanin: tuple[float, ...]
    seed: int


TRAINING: Final = Half(
    "training",
    cameras=("Nikon 5100 (NPL)", "Sigma SDMerill (NPL)", *(f"bells {i}" for i in range(6))),
    lights=(
        "D55", "D75", "ISO 7589 Studio Tungsten", "Incandescent",
        "FL1", "FL3", "FL8", "FL12", "FL3.2", "FL3.8", "FL3.12", "T8 Polylux 3000",
        "F32T8/TL841 (Triphosphor)",
        "LED-B2", "LED-B4", "LED-V1", "PHOS-1", "PHOS-3", "Luxeon WW 2880", "MHC100/U/MP/4K", "Kinoton 75P",
    ),
    charts=("babel",),
    prints=range(1, 41),
    melanin=(0.015, 0.05, 0.13, 0.28),
    seed=1_000,
)  # fmt: skip
SCORING: Final = Half(
    "scoring",
    cameras=tuple(f"filters {i}" for i in range(8)),
    lights=(
        "D50", "D65", "A", "60 A/W (Soft White)",
        "FL2", "FL4", "FL7", "FL10", "FL11", "FL3.7", "FL3.15", "T8 Polylux 4000",
        "F32T8/TL865/PLUS (Triphosphor)",
        "LED-B1", "LED-B3", "LED-B5", "LED-BH1", "LED-V2", "PHOS-2", "PHOS-4", "Phosphor LED YAG",
    ),
    charts=("babel", "ohta"),
    prints=range(41, 81),
    melanin=(0.022, 0.07, 0.16, 0.34),
    seed=2_000,
)  # fmt: skip
TONES: Final = ("light", "tan", "brown", "dark")
"""Names of the four tone groups, one for each entry of Half.melanin."""
