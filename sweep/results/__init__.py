"""WHAT was learned. The only room that knows pandas and plotly."""
