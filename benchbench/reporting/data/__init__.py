"""The tables behind a report: results loaded, aggregated and tested."""
