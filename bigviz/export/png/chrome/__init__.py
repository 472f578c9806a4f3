"""What stands around a plot: axes, colour bars, legends, titles, and the canvas that they are drawn on."""
