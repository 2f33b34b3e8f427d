"""Cadencia: a predictive outbound dialer engine for collections contact centres."""

__version__ = "0.1.0"
