# ruff: noqa: E501  the lines of a broker's file are as long as they are
"""Files of brokers: the real ones beside the checkout, and invented ones in their form."""

from pathlib import Path

import pytest

from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.imported import Imported

SHARED = Path(__file__).resolve().parents[3] / "../shared/data/broker"

SCHWAB_LOTS = """\
"SCHA Lot Details for XXXX-4321 as of 09:59 PM ET, 09/26/2020","","","","","","","","",""

"Open Date","Quantity","Price","Cost/Share","Market Value","Cost Basis","Gain/Loss $","Gain/Loss %","Holding Period",
"01/15/2019 09:31:00","10","$70.00","$60.00","$700.00","$600.00","$100.00","+16.67%","Long Term",
"08/03/2020 15:59:59","2.5","$70.00","$72.00","$175.00","$180.00","-$5.00","-2.78%","Short Term",
"Total","12.5","--","--","$875.00","$780.00","$95.00","+12.18%","--",
"""
SCHWAB_LOTS_ADJUSTED = """\
"VTI Lot Details for Individual ...234 as of 01:00 PM ET, 2025/06/30"

"Open Date","Transaction Open","Quantity","Price","Cost/Share","Transaction CPS","Market Value","Cost Basis","Transaction CB","Gain/Loss $","Transaction G/L $","Gain/Loss %","Transaction G/L %","Holding Period","Disallowed Loss"
"03/04/2025","04/01/2025","4","$300.00","$310.00","$290.00","$1,200.00","$1,240.00","$1,160.00","-$40.00","$40.00","-3.23%","3.45%","Short Term","$80.00"
"Total","4","","","","","$1,200.00","$1,250.00","","","","","","",""
"""
_REALIZED = (
    '"Symbol","Name","Closed Date","Opened Date","Quantity","Proceeds Per Share","Cost Per Share",'
    '"Proceeds","Cost Basis (CB)","Gain/Loss ($)","Gain/Loss (%)","Long Term Gain/Loss",'
    '"Short Term Gain/Loss","Term","Unadjusted Cost Basis","Wash Sale?","Disallowed Loss",'
    '"Transaction Closed Date","Transaction Cost Basis","Total Transaction Gain/Loss ($)",'
    '"Total Transaction Gain/Loss (%)","LT Transaction Gain/Loss ($)",'
    '"LT Transaction Gain/Loss (%)","ST Transaction Gain/Loss ($)","ST Transaction Gain/Loss (%)"'
)
_EMPTY = ",".join(['""'] * 25)
SCHWAB_REALIZED = f"""\
"Realized Gain/Loss - Lot Details for All_Accounts as of Sun May 03  13:18:19 EDT 2026 from 01/01/2025 to 05/03/2026"{',""' * 24}
"Individual ...234"{',""' * 24}
{_REALIZED}
"VUG","VANGUARD GROWTH ETF","04/21/2026","11/23/2016","3","$82.73","$18.48","$248.19","$55.44","$192.75","347.67%","$192.75","","Long Term","$55.44","No","","04/21/2026","","","","","","",""
"BND","VANGUARD BOND","01/13/2026","01/12/2026","10","$70.00","$70.343","$700.00","$703.43","-$3.43","-0.49%","","-$3.43","Short Term","$703.43","Yes","-$3.43","01/13/2026","","","","","","",""
"SPY","SPDR","02/02/2026","01/05/2026","1","$600.00","$650.00","$600.00","$650.00","$0.00","0%","","$0.00","Short Term","$650.00","Yes","$50.00","02/02/2026","","","","","","",""
{_EMPTY}
"Roth Contributory IRA ...678"{',""' * 24}
{_REALIZED}
"There are no transactions available for the time period"{',""' * 24}
{_EMPTY}
"Joint Tenant"{',""' * 24}
{_REALIZED}
"VXUS","VANGUARD INTL","03/03/2026","Various","2","$60.00","$50.00","$120.00","$100.00","$25.00","25%","$25.00","","Long Term","$100.00","No","","03/03/2026","","","","","","",""
"""
SCHWAB_POSITIONS_2025 = """\
"Positions for account Joint Tenant ...724 as of 01:17 PM ET, 2026/05/03"

"Symbol","Description","Qty (Quantity)","Price","Price Chng % (Price Change %)","Price Chng $ (Price Change $)","Mkt Val (Market Value)","Day Chng $ (Day Change $)","Day Chng % (Day Change %)","Cost Basis","Gain $ (Gain/Loss $)","Gain % (Gain/Loss %)","Ratings","Reinvest?","Reinvest Capital Gains?","% of Acct (% of Account)","Asset Type",
"VTI","VANGUARD TOTAL STOCK","16","360.50","1.71%","6.05","$5,768.00","$96.80","1.71%","$3,073.28","$2,694.72","87.7%","F","No","N/A","85%","ETFs & Closed End Funds",
"VTI 06/19/2026 380.00 C","CALL VANGUARD","-1","$4.15","0%","0","-$415.00","$0.00","0%","-$300.00","-$115.00","38%","--","--","--","--","Option",
"Cash & Cash Investments","--","--","--","--","--","$1,000.95","$0.00","0%","--","--","--","--","--","--","15%","Cash and Money Market",
"Positions Total","","--","--","--","--","$6,353.95","$96.80","1.5%","$2,773.28","$2,579.72","93%","--","--","--","--","--",
"""
FIDELITY_POSITIONS_2026 = """\
\ufeffAccount number,Account name,Symbol,Description,Quantity,Last price,Last price change,Current value,Today's gain/loss $,Today's gain/loss %,Total gain/loss $,Total gain/loss %,Percent of account,Cost basis total,Average cost basis,Type\r
X12345678,Individual - TOD,SPAXX**,HELD IN MONEY MARKET,,,,$1412.15,,,,,4.4%,,,Cash,\r
X12345678,Individual - TOD,VTI,VANGUARD TOTAL STOCK,20.5,$300.00,+$1.24,"$6,150.00",+$12.40,+0.71%,"+$1,025.00",+20%,15.5%,"$5,125.00",$250.00,Cash,\r
X12345678,Individual - TOD, -VTI260619C380,VTI JUN 19 2026 $380 CALL,-1,$4.15,$0.00,-$415.00,$0.00,0.00%,-$15.00,-3.75%,-1%,-$400.00,$4.00,Margin,\r
X12345678,Individual - TOD,Pending activity,,,,,$201.00,,,,,,,,\r
86964,EMPLOYER 401(K),31617E471,FID CONTRA POOL,100,$25.00,$0.00,"$2,500.00",$0.00,0.00%,n/a,n/a,50%,n/a,--,,\r
86964,EMPLOYER 401(K),BROKERAGELINK,BROKERAGELINK,,,,"$9,999.00",,,,,50%,,,,\r
\r
"The data and information in this spreadsheet is provided to you solely for your use."\r
\r
"Date downloaded Jan-05-2026 at 9:15 a.m ET"\r
"""
FIDELITY_HISTORY_2026 = """\


Run Date,Account,Account Number,Action,Symbol,Description,Type,Exchange Quantity,Exchange Currency,Quantity,Currency,Price,Exchange Rate,Commission,Fees,Accrued Interest,Amount,Settlement Date
04/02/2026,"Taxable","Z29133576","YOU BOUGHT APPLE INC (AAPL) (Cash)",AAPL,"APPLE INC",Cash,0,,USD,252.56,3,0,1.00,,,-758.68,04/06/2026
04/01/2026,"Taxable","Z29133576","YOU SOLD ASSIGNED CALLS AS OF 03-31-26 REDWIRE CORPORATION COM (RDW) (Cash)",RDW,"REDWIRE CORPORATION COM",Cash,0,,USD,8,-1000,0,,0.17,,7999.83,04/06/2026
03/30/2026,"Taxable","Z29133576","YOU SOLD SHORT SALE TESLA INC (TSLA) (Short)",TSLA,"TESLA INC",Short,0,,USD,200,-5,0,,,,1000.00,04/01/2026
03/27/2026,"Taxable","Z29133576","YOU BOUGHT CANCELLED TRADE VANGUARD (VTI) (Cash)",VTI,"VANGUARD",Cash,0,,USD,100,-1,0,,,,100.00,03/30/2026
03/26/2026,"Taxable","Z29133576","IN LIEU OF FRX SHARE EU PAYOUT GE VERNOVA (GEV) (Cash)",GEV,"GE VERNOVA",Cash,0,,USD,,0,0,,,,12.34,
"""
VANGUARD = """\
Account Number,Investment Name,Symbol,Shares,Share Price,Total Value,
12345678,VANGUARD TOTAL STOCK MARKET ETF,VTI,50,200.00,10000.00,
12345678,U S TREASURY NOTE 1.875 01/15/36,null,5000,100.00,500000.00,
12345678,VANGUARD FEDERAL MONEY MARKET,VMFXX,1234.56,1,1234.56,



Account Number,Trade Date,Settlement Date,Transaction Type,Transaction Description,Investment Name,Symbol,Shares,Share Price,Principal Amount,Commissions and Fees,Net Amount,Accrued Interest,Account Type,
12345678,2025-03-27,2025-03-28,Buy,Buy,VANGUARD TOTAL STOCK MARKET ETF,VTI,10.00000,200.00,-2000.00,0.0,-2000.00,0.0,CASH,
12345678,2025-04-02,2025-04-03,Sell,Sell,VANGUARD TOTAL STOCK MARKET ETF,VTI,-4.00000,190.00,760.00,Free,760.00,0.0,CASH,
12345678,4/3/2025,4/3/2025,Dividend,Dividend Received,VANGUARD TOTAL STOCK MARKET ETF,VTI,0.00000,0.00,9.90,0.0,9.90,0.0,CASH,
12345678,4/3/2025,4/3/2025,Reinvestment,Dividend Reinvestment,VANGUARD TOTAL STOCK MARKET ETF,VTI,0.05000,198.00,-9.90,0.0,-9.90,0.0,CASH,
12345678,4/4/2025,4/4/2025,Sweep out,Sweep Out Of Settlement Fund,VANGUARD FEDERAL MONEY MARKET,VMFXX,0.00000,1.0,-9.90,0.0,-9.90,0.0,CASH,
12345678,2025-04-07,2025-04-07,Transfer (incoming),Transfer in,VANGUARD BALANCED,VBIAX,12.5,45.00,562.50,0.0,562.50,0.0,CASH,
"""


def broker_file(name: str) -> Path:
    """A real file of a broker; the test is skipped where it is not there."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the broker's file {name} is not in the folder shared beside the checkout")
    return path


def refusal_of(read, *args) -> str:
    """The sentence with which a file is refused as a whole."""
    with pytest.raises(InputError) as refused:
        read(*args)
    sentence = str(refused.value)
    assert not isinstance(refused.value, FileFaults), sentence
    assert "\n" not in sentence
    return sentence


def faults_of(read, *args, **kwargs) -> tuple[str, ...]:
    """The faults with which a file is refused."""
    with pytest.raises(FileFaults) as refused:
        read(*args, **kwargs)
    return refused.value.faults


def has_note(imported: Imported, *words: str) -> bool:
    """Whether one note holds all *words*."""
    return any(all(word in note for word in words) for note in imported.notes)
