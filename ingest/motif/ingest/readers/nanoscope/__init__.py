"""Reader of Bruker Nanoscope scans."""
