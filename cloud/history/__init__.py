"""Port: points out, to InfluxDB or to line-protocol files."""
