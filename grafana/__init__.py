"""GRAFANA: the six dashboards and their alert rules as code, and the JSON and YAML that are made from it.

`python -m grafana write` makes the files anew; the checks compare them. Knows the contract alone.
"""
