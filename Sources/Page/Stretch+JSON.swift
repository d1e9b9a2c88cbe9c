import Watching

extension RunSeries.Stretch {
    /// The stretch as JSON: `{"each":4,"steps":[…],"loss":[least,greatest,mean,…],…}`, null where there
    /// is no number. For one step to a block there is one number, not three.
    var json: [UInt8] {
        var text = "{\"each\":\(each),\"steps\":["
        text += begins.map(String.init).joined(separator: ",") + "]"
        for column in Column.allCases {
            text += ",\"\(column.rawValue)\":["
            for (number, block) in blocks.enumerated() {
                let summary = block[column.index]
                if number > 0 { text += "," }
                let isEmpty = summary.count == 0
                if each == 1 {
                    text += isEmpty ? "null" : "\(summary.mean)"
                } else if isEmpty {
                    text += "null,null,null"
                } else {
                    text += "\(summary.least),\(summary.greatest),\(summary.mean)"
                }
            }
            text += "]"
        }
        return Array((text + "}").utf8)
    }
}
