"""Training tricks as rows: `nsgan` with one factor on, so that a row is the trick's paired effect."""
