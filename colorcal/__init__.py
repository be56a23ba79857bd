"""Color calibration of skin pictures from a chart in view: frames in, values out."""
