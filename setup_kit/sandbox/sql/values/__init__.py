"""SQL Server's data types and values.

`types` says which types there are and how each value is stored, `moments` and `conversions` make one of another,
`collation` and `code_page` compare and encode text, `tables` are tables as values. `tds.decoding` and `tds.encoding`
bring values from and to clients.
"""
