/// Things to come, in the order of their moments; those of one moment in the order of their making.
struct Agenda {
    struct Entry {
        var time: Int64
        var number: Int
        var action: () -> Void

        static func precedes(_ left: Entry, _ right: Entry) -> Bool {
            (left.time, left.number) < (right.time, right.number)
        }
    }

    private var heap: [Entry] = []
    private var number = 0

    mutating func add(at time: Int64, _ action: @escaping () -> Void) {
        number += 1
        heap.append(Entry(time: time, number: number, action: action))
        var child = heap.count - 1
        while child > 0, Entry.precedes(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> Entry? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && Entry.precedes(heap[child], heap[least]) {
                least = child
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
