# A live hashtag is unique over all tags, also by look-alike; one script per tag; Link… and Unlink… are reserved.
story: a hashtag is taken
  offer Shirt: #BuyShirt, 3 in stock
  offer Other: #buySHIRT, confirm #ConfirmOther → refused: taken
  offer Other: #BuyOther, confirm #BuyShirt → refused: taken
story: a hashtag looks like another
  offer Shirt: #BuyShirt, 3 in stock
  offer Other: #BuyShlrt, confirm #ConfirmOther → refused: looks like
  offer Other: #BuyOther, confirm #C0nfirmShirt → refused: looks like
story: equal, mixed and reserved hashtags
  offer Shirt: #BuyShirt, confirm #buyshirt → refused: must differ
  offer Shirt: #BuyЖirt → refused: one script
  offer Shirt: #LinkShirt, confirm #ConfirmShirt → refused: reserved
  offer Shirt: #UnlinkShirt, confirm #ConfirmShirt → refused: reserved
# confirm_hashtag defaults to the purchase tag with a leading Buy replaced by Confirm.
story: the confirm hashtag by default
  offer Shirt: #GetShirt → refused: must be given
  offer Shirt: #buyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#buyShirt" → pending
  post alice p2 "#confirmshirt" → confirmed
# A tag stays taken while purchases on it are open, then 30 days for the same merchant.
story: open purchases keep a hashtag
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  finish Shirt
  offer Again: #BuyShirt, 3 in stock → refused: last purchase
  cancel alice Shirt
  offer Again: #BuyShirt, 3 in stock
story: thirty days for the same merchant
  offer Shirt: #BuyShirt, 3 in stock, by one
  finish Shirt
  offer Again: #BuyShirt, 3 in stock, by two → refused: reserved for another merchant
  after 29 days
  offer Again: #BuyShirt, 3 in stock, by two → refused: reserved for another merchant
  after 1 day
  offer Again: #BuyShirt, 3 in stock, by two
story: an offer whose hashtags went to another cannot be revived
  offer Shirt: #BuyShirt, 3 in stock, ends in 1 hour
  after 2 hours
  offer Again: #BuyShirt, 3 in stock
  change Shirt to end in 1 hour → refused: hashtag
# Titles hold no #, @, URL, control or bidirectional characters.
story: titles that are more than words
  offer Shirt: #BuyShirt, titled "Now #free" → refused: title
  offer Shirt: #BuyShirt, titled "Ask @shop" → refused: title
  offer Shirt: #BuyShirt, titled "See https://example.com" → refused: title
