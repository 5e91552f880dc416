"""The report page: tables, figures, galleries, the pipeline's graph, templates."""
