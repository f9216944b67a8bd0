# available + held + sold = quantity at every commit (checked after each line of each story).
story: a unit is held, then sold
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  stock Shirt: 2 available, 1 held, 0 sold
  gateway says paid to alice Shirt
  stock Shirt: 2 available, 0 held, 1 sold
# A refund stays sold unless it says restock and nothing has shipped.
story: a refund stays sold
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  refund alice Shirt
  bank gives back to alice Shirt
  stock Shirt: 0 available, 0 held, 1 sold
story: a refund that restocks
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  refund alice Shirt and restock
  stock Shirt: 0 available, 0 held, 1 sold
  bank gives back to alice Shirt
  order alice Shirt is cancelled to US
  stock Shirt: 1 available, 0 held, 0 sold
story: what has shipped is not restocked
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  ship alice Shirt
  refund alice Shirt and restock → refused: shipped
story: a refund that restocks, answered before a part that was asked for earlier
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  refund alice Shirt 5.00
  refund alice Shirt and restock
  bank gives back to alice Shirt, refund 2
  bank gives back to alice Shirt, refund 1
  stock Shirt: 1 available, 0 held, 0 sold
story: stock cannot be cut below what is held and sold
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → pending
  change Shirt stock to 1 → refused: at least 2
  change Shirt stock to 2
  stock Shirt: 0 available, 2 held, 0 sold
