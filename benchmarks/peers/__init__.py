"""The servers that Traverse is compared with: the limit, the stock way in Python, and two of Node.js."""
