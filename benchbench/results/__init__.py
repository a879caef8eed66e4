"""The results folder: a store of Parquet files, its schema, its checks and its maintenance."""
