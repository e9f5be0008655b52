"""What there is: the data sources, and what a company offers of them."""
