"""What runs in the containers of Kubeflow Pipelines and Vertex."""
