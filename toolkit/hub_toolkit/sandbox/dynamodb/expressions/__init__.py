"""DynamoDB's expression language.

``grammar.lark`` is the language; `parser` turns a text into the tree of `syntax`, once per text.
`placeholders` holds a request's ``#names`` and ``:values``; `operands` resolves a tree's leaves
with them and reads items by document `paths`. On these stand `conditions` (condition and filter
expressions), `key_conditions`, `projections` and `updates`: each checks an expression as AWS
does and compiles it to a function of an item.

Source: the developer guide's chapter "Using expressions in DynamoDB" and the appendix "Reserved
words in DynamoDB".
"""
