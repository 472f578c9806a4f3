"""Tables whose parts the workers of a Dask cluster hold: what each answers of its rows, put together in their order."""
