"""Studies: a judge held against people, from a study.yaml to a verdict, a report and a calibration profile."""
