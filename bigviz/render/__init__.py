"""Planes to colours: colour maps, normalisation and pictures, as the page makes them."""
