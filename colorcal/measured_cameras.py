"""Sensitivities of two measured cameras, 400 to 700 nm in steps of 10, for the prior over cameras."""

from __future__ import annotations

from typing import Final

import numpy as np

from colorcal.color_math import Floats

# Red, green and blue of each camera in thousandths of its peak; 0 where it was not measured. Measured at the
# National Physical Laboratory (Darrodi et al., "Reference data set for camera spectral sensitivity
# estimation", J. Opt. Soc. Am. A 32, 2015), as colour-science distributes them (BSD 3-Clause).
_MEASURED: Final = (
    (  # Nikon D5100
        "0000 0003 0050 0077 0061 0049 0040 0048 0053 0048 0050 0064 0100 0124 0076 0041 "
        "0043 0112 0565 0981 0963 0834 0704 0571 0438 0343 0238 0091 0021 0005 0001",
        "0000 0001 0065 0137 0169 0196 0254 0373 0460 0489 0616 0801 0939 1000 0962 0889 "
        "0776 0636 0493 0352 0212 0118 0070 0047 0035 0027 0020 0009 0003 0001 0000",
        "0002 0017 0362 0755 0875 0963 1000 0989 0905 0751 0567 0394 0250 0162 0110 0065 "
        "0034 0020 0014 0010 0006 0004 0004 0004 0006 0006 0006 0003 0001 0000 0000",
    ),
    (  # Sigma SD1 Merrill
        "0006 0007 0074 0043 0035 0019 0007 0045 0057 0134 0165 0217 0306 0350 0444 0445 "
        "0479 0510 0593 0674 0714 0860 0898 1000 0995 0921 0181 0006 0005 0000 0000",
        "0006 0010 0025 0084 0144 0184 0409 0516 0601 0670 0753 0844 0902 0920 0968 0957 "
        "0952 0976 0973 1000 0969 0954 0933 0926 0885 0762 0141 0004 0002 0000 0000",
        "0162 0285 0397 0508 0622 0737 0945 0964 1000 0986 0983 0970 0943 0897 0884 0868 "
        "0834 0832 0801 0783 0739 0667 0620 0611 0552 0465 0080 0001 0005 0000 0000",
    ),
)
MEASURED_CAMERAS: Final[Floats] = (
    np.array([[[float(number) for number in row.split()] for row in camera] for camera in _MEASURED]) / 1000
)
"""float64 [2, 3, 31]."""
