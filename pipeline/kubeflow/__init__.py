"""The entry point of the containers on Kubeflow Pipelines and Vertex."""
