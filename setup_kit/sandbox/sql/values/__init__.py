"""SQL Server's data types and values.

`types` says which types there are and how each value is stored; `conversions` makes one of another, with `to_numbers`,
`to_text`, `to_moments` by what is made; `moments` reads and shows dates and times, `collation`, `code_page` and `units`
compare, encode and measure text, `tables` are tables as values. `tds.decoding` and `tds.encoding`
bring values from and to clients.
"""
