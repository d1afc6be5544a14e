"""`talewright evaluate moderation`: classifiers and other judges of texts, on functional suites like HateCheck."""
