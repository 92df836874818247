"""The Streamlit dashboard: a thin view of a workspace."""
