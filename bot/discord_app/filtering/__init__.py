"""The filters' lab as moderators see it: pages with buttons, forms, and what each click does. All of it is private."""
