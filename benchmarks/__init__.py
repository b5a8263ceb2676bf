"""Speed, as ratios measured side by side in one run; reported, never asserted."""
