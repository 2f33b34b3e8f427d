"""Commands about carriers and trunks."""
