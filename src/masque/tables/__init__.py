"""One file per published table: runs the comparison and prints ours beside the paper's."""
