"""Deliveries and batches as folders: what arrived, what was accepted, what counts. Nothing here looks into the data."""
