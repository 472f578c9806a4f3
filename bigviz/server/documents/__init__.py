"""Documents of a library, bound to open datasets for those who may see them."""
