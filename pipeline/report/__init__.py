"""The report page: tables, figures, the graph of the pipeline."""
