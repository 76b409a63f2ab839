"""Reports: tables, figures, an HTML page and notebooks, all functions of a results frame.

Takes `bench.results.Results` (two frames and the artifacts), gives pandas frames, matplotlib figures and one HTML file.
Must not train, and must not know MLflow: whatever can fill the frames can be reported.
"""
