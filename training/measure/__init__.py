"""Worth in numbers: errors, statistics, the paper's figures, tables of errors."""
