"""Color calibration of skin pictures from a chart in view: frames in, values out."""

from colorcal.calibration import FittedCalibration, calibrate, calibrate_samples
from colorcal.card_prints import read_prints
from colorcal.chart import detect_chart, track_chart
from colorcal.chart_reference import ChartReference
from colorcal.decoder import compare_decoders
from colorcal.errors import ColorInputError
from colorcal.interface import (
    Calibration,
    CalibrationReport,
    ChartDetection,
    DecoderDifference,
    Grade,
    LightChange,
    PatchSamples,
    StillQuality,
    StillReason,
    StillVerdict,
)
from colorcal.layouts import DeclaredChart
from colorcal.light_watch import LightWatch
from colorcal.matrix import matrix_mix_up
from colorcal.patches import sample_patches
from colorcal.steady import SteadyCalibration
from colorcal.still_quality import judge_still

__all__ = [
    "Calibration",
    "CalibrationReport",
    "ChartDetection",
    "ChartReference",
    "ColorInputError",
    "DeclaredChart",
    "DecoderDifference",
    "FittedCalibration",
    "Grade",
    "LightChange",
    "LightWatch",
    "PatchSamples",
    "SteadyCalibration",
    "StillQuality",
    "StillReason",
    "StillVerdict",
    "calibrate",
    "calibrate_samples",
    "compare_decoders",
    "detect_chart",
    "judge_still",
    "matrix_mix_up",
    "read_prints",
    "sample_patches",
    "track_chart",
]
