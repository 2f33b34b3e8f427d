"""The report of a day: one HTML file that needs nothing else, to be read, printed and sent on."""

from sim.report.page import render_report

__all__ = ["render_report"]
