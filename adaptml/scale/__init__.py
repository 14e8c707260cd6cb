"""More processes than one, here or on other machines: chunk functions, and who calls them."""
