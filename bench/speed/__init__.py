"""How fast the harness is: parts that are measured against a naive script, torch-fidelity, or the machine itself.

Takes the machine as it is and gives named figures. Times are measured interleaved (A, B, A, B ...), so that a busy
machine slows both sides alike; what is compared with something else is a ratio, given as median and quartiles.
"""
