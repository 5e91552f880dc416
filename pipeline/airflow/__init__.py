"""The pipeline as an Airflow DAG: compiling it, an Airflow of its own, and the DAG's last task."""
