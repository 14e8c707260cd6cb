"""What every report page is made of: one self-contained HTML file, charts, rows of data points, intervals."""
