"""Logs of past calls, ours and other dialers', read into one neutral form."""

from dialer.adapters.call_logs.reader import read_call_log
from dialer.adapters.call_logs.table import CallLog

__all__ = ["CallLog", "read_call_log"]
