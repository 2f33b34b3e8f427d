"""The report on models: one HTML file that needs nothing else, to be read, printed and sent on."""

from dialer.adapters.model_report.page import render_models

__all__ = ["render_models"]
