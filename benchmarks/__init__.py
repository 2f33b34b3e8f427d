"""What the product claims, measured: `./run bench [NAME] [--quick] [--json]`."""
