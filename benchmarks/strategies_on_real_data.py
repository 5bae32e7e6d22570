"""One household under each strategy at real prices, 2007 to 2012 and 2019 to 2022: its page anew.

Each strategy is replayed with `trimtab replay`'s own cycle and measured with `trimtab
performance`'s own figures. Tables and pictures of docs/explanation/strategies-on-real-data.md are
written again. The prices are not part of this repository: they are read from ../shared/data.

    python benchmarks/strategies_on_real_data.py              # everything, some minutes
    python benchmarks/strategies_on_real_data.py --months     # the real months alone
"""

from real_data.page import main

if __name__ == "__main__":
    main()
