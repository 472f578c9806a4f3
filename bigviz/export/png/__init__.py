"""The picture of a document as the page makes it, without a browser."""
