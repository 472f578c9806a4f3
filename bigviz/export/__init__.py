"""Documents as files: pages, pictures, and what notebooks show."""
