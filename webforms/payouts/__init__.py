"""Pages of the payout: bank files, return files, what failed and how it is mended."""
