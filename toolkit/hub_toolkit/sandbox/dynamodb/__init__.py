"""DynamoDB in memory, isolated and fast, for the sandbox and for tests.

`ItemStore` answers operations; `app` puts it behind HTTP, `client` behind boto3 in the same
process.

- ``values`` and ``keys`` know attribute values; ``table`` and ``catalogue`` hold them.
- ``expressions`` is the expression language.
- ``actions`` is one change to one item; ``items``, ``batches`` and ``transactions`` carry changes
  out, ``reads`` finds, ``control`` makes tables. ``requests`` reads the members of requests.
- ``streams`` tells what changes in a table.
- ``store`` puts all operations behind one lock; ``errors`` is what they raise.

Not carried, and refused: secondary indexes, the API of streams, PartiQL, the parameters from before
expressions (``Expected``, ``KeyConditions``, ...). ``ReturnConsumedCapacity`` and
``ReturnItemCollectionMetrics`` are passed over.
"""

from hub_toolkit.sandbox.dynamodb.client import app, client
from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, throttled, transaction_conflict
from hub_toolkit.sandbox.dynamodb.store import ItemStore

__all__ = ["DynamoDBError", "ItemStore", "app", "client", "throttled", "transaction_conflict"]
