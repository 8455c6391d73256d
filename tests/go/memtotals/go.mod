module example.com/memtotals

go 1.19
